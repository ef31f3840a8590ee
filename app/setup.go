package app

import (
	"context"
	"fmt"
	"io"
	"strings"

	"fechatter/chat"
)

// admission translates the settings.
func admission(c Config) chat.Admission {
	return chat.Admission{Registration: chat.Registration(c.Registration), InviteByAdministrators: c.Invitations == "administrators"}
}

func (c Config) validateAdmission() error {
	if c.Registration != "" && !chat.Registration(c.Registration).Valid() {
		return fmt.Errorf("registration: %q is neither invite, open nor closed", c.Registration)
	}
	if c.Invitations != "" && c.Invitations != "everyone" && c.Invitations != "administrators" {
		return fmt.Errorf("invitations: %q is neither everyone nor administrators", c.Invitations)
	}
	if c.Bots != "" && c.Bots != "everyone" && c.Bots != "administrators" {
		return fmt.Errorf("bots: %q is neither everyone nor administrators", c.Bots)
	}
	return nil
}

// greet prints where the node is, and how its first administrator comes in. The code is in
// the fragment, which browsers send to nobody; it goes to out alone, never to the log.
func (n *Node) greet(ctx context.Context, version string, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "Fechatter %s is at %s\n", version, n.URL()); err != nil {
		return err
	}
	code, needed, err := n.chat.SetupCode(ctx)
	if err != nil {
		return fmt.Errorf("setup code: %w", err)
	}
	if needed {
		_, err = fmt.Fprintf(out, "Nobody is here yet. Whoever opens this address becomes administrator:\n%s/#setup=%s\n", strings.TrimRight(n.URL(), "/"), code)
		return err
	}
	return n.tellRegistration(ctx)
}

// tellRegistration logs who may sign up, where that is not what the settings say or what
// releases before did.
func (n *Node) tellRegistration(ctx context.Context) error {
	w, _, err := n.chat.Workspace(ctx)
	if err != nil {
		return fmt.Errorf("read workspace: %w", err)
	}
	n.log.Info("registration", "in_force", w.Registration, "setting", n.config.Registration)
	if set := chat.Registration(n.config.Registration); set != "" && set != w.Registration {
		n.log.Warn("administrators have chosen another registration than the setting, and theirs holds", "in_force", w.Registration, "setting", set)
	}
	return nil
}
