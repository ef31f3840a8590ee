package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fechatter/chat"
	"fechatter/jobs"
	"fechatter/mail"
)

// mailTries is for how long a letter is tried: a server that is away for a night is back
// within it.
const mailTries = 24 * time.Hour

// openMail returns what sends letters; nil where there is no mail.
func openMail(c Config) (*mail.Sender, error) {
	if c.Mail == "" {
		return nil, nil
	}
	return mail.New(mail.Config{Server: c.Mail, From: c.MailFrom, Password: c.MailPassword, CA: c.MailCA})
}

// validateMail explains what keeps mail from being sent. Links in letters never come from what
// a request calls this server, so its own name must be set.
func (c Config) validateMail() error {
	if c.Mail == "" {
		return nil
	}
	if c.PublicURL == "" {
		return errors.New("mail: letters hold links to public_url; set it, such as https://chat.example.org")
	}
	_, err := openMail(c)
	return err
}

// postOffice sends letters.
type postOffice struct {
	chat   *chat.Service
	sender *mail.Sender
	url    string // of the page
}

// letters are the jobs that end in mail, where there is mail.
func (n *Node) letters(sender *mail.Sender) []jobs.Kind {
	if sender == nil {
		return nil
	}
	office := postOffice{n.chat, sender, strings.TrimRight(n.config.PublicURL, "/")}
	return []jobs.Kind{
		{Name: chat.JobReset, Workers: 2, Claim: time.Minute, Attempts: 20, Pause: time.Second, MaxPause: 5 * time.Minute, Do: office.answer},
		{Name: chat.JobMail, Workers: 4, Claim: 5 * time.Minute, Attempts: 60, Give: mailTries, Pause: 30 * time.Second, MaxPause: time.Hour, Do: office.send},
	}
}

// answer does the wish for a new password.
func (o postOffice) answer(ctx context.Context, j chat.ClaimedJob) error {
	err := o.chat.AnswerReset(ctx, j)
	switch chat.CodeOf(err) {
	case "":
		return jobs.ErrDone
	case chat.BadRequest:
		return jobs.Hopeless(err)
	}
	return err
}

// send makes the code of a letter and hands it to the mail server.
func (o postOffice) send(ctx context.Context, j chat.ClaimedJob) error {
	m, wanted, err := o.chat.OpenLetter(ctx, j.Payload)
	if chat.CodeOf(err) == chat.BadRequest {
		return jobs.Hopeless(err)
	}
	if err != nil || !wanted {
		return err
	}
	letter, err := o.write(m)
	if err != nil {
		return jobs.Hopeless(err)
	}
	err = o.sender.Send(ctx, letter, m.ID)
	if mail.IsRefused(err) {
		return jobs.Hopeless(err)
	}
	return err
}

func (o postOffice) write(m chat.Mail) (mail.Letter, error) {
	letter := mail.Letter{To: m.Address, Language: m.Language, Name: m.Name, Workspace: m.Workspace, By: cmp.Or(m.By, m.Workspace)}
	if m.ExpiresAt != 0 {
		letter.ExpiresAt = m.ExpiresAt.Time()
	}
	switch m.Purpose {
	case chat.ForReset:
		letter.Kind, letter.Link = mail.Reset, o.url+"/#reset="+m.Code
	case chat.ForEmail:
		letter.Kind, letter.Link = mail.Confirm, o.url+"/#email="+m.Code
	case chat.ForInvitation:
		letter.Kind, letter.Link = mail.Invitation, o.url+"/#join="+m.Code
	case chat.PasswordChanged:
		letter.Kind, letter.Link = mail.PasswordChanged, o.url+"/"
	case chat.EmailChanged:
		letter.Kind, letter.Link = mail.AddressChanged, o.url+"/"
	default:
		return mail.Letter{}, fmt.Errorf("there is no letter for %s", m.Purpose)
	}
	return letter, nil
}
