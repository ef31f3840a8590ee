package server

import (
	"context"

	"fechatter/chat"
	"fechatter/security"
)

// factorTOTP is what security events call one-time codes.
const factorTOTP = "totp"

// finishLogIn is the second step of a log-in. Wrong codes count for the account as wrong
// passwords do, and apart from them: strangers and known devices have counts of their own.
func (s *Server) finishLogIn(ctx context.Context, in *logInInput) (*logInOutput, error) {
	c := callerOf(ctx)
	user, err := s.chat.ChallengedUser(ctx, in.Body.Challenge)
	if err != nil {
		if limit := s.rates.logins.charge(c.from); limit != nil {
			err = limit
		}
		return nil, err
	}
	by := s.guesserOf(ctx, user.Username)
	if err := s.rates.chargeLogIn(by); err != nil {
		return nil, err
	}
	judged, err := s.codes.begin(by.key)
	if err != nil {
		return nil, err
	}
	l, err := s.chat.FinishLogIn(ctx, chat.SecondAnswer{Challenge: in.Body.Challenge, TOTP: in.Body.TOTP,
		RecoveryCode: in.Body.RecoveryCode, Device: in.Body.Device})
	wrong := chat.CodeOf(err) == chat.SecondFactor || chat.CodeOf(err) == chat.Unauthenticated
	judged(wrong)
	if wrong {
		s.note(c, security.Entry{Event: security.FactorRefused, User: user.ID, Detail: factorTOTP})
	}
	if err != nil {
		return nil, err
	}
	return s.loggedIn(ctx, l), nil
}

type beginTOTPInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" required:"true"`
		Code            string `json:"code,omitempty" doc:"required where codes are in force, which the new ones replace: one of them, or a recovery code"`
	}
}

type beginTOTPOutput struct {
	Body struct {
		Secret string `json:"secret" doc:"in base32, to be typed where no picture can be read"`
		URI    string `json:"uri" doc:"otpauth://…, for a QR code"`
	}
}

func (s *Server) beginTOTP(ctx context.Context, in *beginTOTPInput) (*beginTOTPOutput, error) {
	out := &beginTOTPOutput{}
	err := s.proved(ctx, func() (err error) {
		out.Body.Secret, out.Body.URI, err = s.chat.BeginTOTP(ctx, callerOf(ctx).userID(), in.Body.CurrentPassword, in.Body.Code)
		return err
	})
	return out, err
}

type confirmTOTPInput struct {
	Body struct {
		Code string `json:"code" required:"true" doc:"of the new secret"`
	}
}

type confirmTOTPOutput struct {
	Body struct {
		RecoveryCodes []string `json:"recovery_codes" doc:"each opens one session instead of a code; shown this once"`
	}
}

func (s *Server) confirmTOTP(ctx context.Context, in *confirmTOTPInput) (*confirmTOTPOutput, error) {
	c := callerOf(ctx)
	out := &confirmTOTPOutput{}
	var err error
	if out.Body.RecoveryCodes, err = s.chat.ConfirmTOTP(ctx, c.userID(), in.Body.Code); err != nil {
		return nil, err
	}
	s.note(c, security.Entry{Event: security.FactorSet, Detail: factorTOTP})
	return out, nil
}

type removeTOTPInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" required:"true"`
		Code            string `json:"code" required:"true" doc:"that an authenticator shows, or a recovery code"`
	}
}

func (s *Server) removeTOTP(ctx context.Context, in *removeTOTPInput) (*struct{}, error) {
	c := callerOf(ctx)
	err := s.proved(ctx, func() error {
		return s.chat.RemoveTOTP(ctx, c.userID(), in.Body.CurrentPassword, in.Body.Code)
	})
	if err == nil {
		s.note(c, security.Entry{Event: security.FactorRemoved, Detail: factorTOTP})
	}
	return nil, err
}

// proved runs what checks a password of whoever is logged in, and perhaps a code: guesses
// count for the session, like those of a change of the password.
func (s *Server) proved(ctx context.Context, check func() error) error {
	c := callerOf(ctx)
	by := guesser{"session " + c.session.ID, true, c.from}
	if err := s.rates.chargeLogIn(by); err != nil {
		return err
	}
	err := s.checked(ctx, by, chat.Forbidden, check)
	if chat.CodeOf(err) == chat.Forbidden {
		s.note(c, security.Entry{Event: security.FactorRefused, Detail: factorTOTP})
	}
	return err
}
