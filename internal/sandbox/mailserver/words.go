package mailserver

import (
	"errors"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"

	"orbit/internal/sandbox/idp"
)

// words are what a provider's servers say when they refuse somebody.
type words struct {
	smtp       map[idp.Reason]*smtp.SMTPError
	smtpBasic  *smtp.SMTPError // a password where tokens are wanted
	smtpNobody *smtp.SMTPError // mail before sign-in
	imap       map[idp.Reason]*imap.Error
	imapBasic  *imap.Error
	pop3       map[idp.Reason]string // behind -ERR
	pop3Basic  string
}

func wordsOf(flavour idp.Flavour) *words {
	if flavour == idp.Google {
		return &google
	}
	return &microsoft
}

func (w *words) smtpRefusal(err error) error {
	if said, ok := w.smtp[reasonOf(err)]; ok {
		return said
	}
	return w.smtp[idp.UnknownToken]
}

func (w *words) imapRefusal(err error) error {
	if said, ok := w.imap[reasonOf(err)]; ok {
		return said
	}
	return w.imap[idp.UnknownToken]
}

func (w *words) pop3Refusal(err error) error {
	if said, ok := w.pop3[reasonOf(err)]; ok {
		return pop3Error(said)
	}
	return pop3Error(w.pop3[idp.UnknownToken])
}

func reasonOf(err error) idp.Reason {
	var denied *idp.Denied
	if errors.As(err, &denied) {
		return denied.Reason
	}
	return idp.UnknownToken
}

// microsoft says the same to nearly everything: who was meant by it stands in a log that customers do not see.
var microsoft = words{
	smtp: map[idp.Reason]*smtp.SMTPError{
		idp.UnknownToken:  smtpError(535, 5, 7, 3, "Authentication unsuccessful [SANDBOX01.prod.outlook.example]"),
		idp.ProtocolOff:   smtpError(535, 5, 7, 139, "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information."),
		idp.WrongPassword: smtpError(535, 5, 7, 139, "Authentication unsuccessful, the user credentials were incorrect."),
	},
	smtpBasic:  smtpError(550, 5, 7, 30, "Basic authentication is not supported for Client Submission."),
	smtpNobody: smtpError(530, 5, 7, 57, "Client not authenticated to send mail."),
	imap: map[idp.Reason]*imap.Error{
		idp.UnknownToken:  imapNo("", "AUTHENTICATE failed."),
		idp.OtherMailbox:  {Type: imap.StatusResponseTypeBad, Text: "User is authenticated but not connected."},
		idp.WrongPassword: imapNo("", "LOGIN failed."),
	},
	imapBasic: imapNo("", "LOGIN failed."),
	pop3: map[idp.Reason]string{
		idp.UnknownToken:  "Authentication failure: unknown user name or bad password.",
		idp.WrongPassword: "Logon failure: unknown user name or bad password.",
	},
	pop3Basic: "Logon failure: basic authentication is not supported. Use AUTH XOAUTH2.",
}

var google = words{
	smtp: map[idp.Reason]*smtp.SMTPError{
		idp.UnknownToken:  smtpError(535, 5, 7, 8, "Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials - gsmtp"),
		idp.WrongPassword: smtpError(535, 5, 7, 8, "Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials - gsmtp"),
	},
	smtpBasic:  smtpError(534, 5, 7, 9, "Application-specific password required. For more information, go to https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp"),
	smtpNobody: smtpError(530, 5, 7, 0, "Authentication Required. For more information, go to https://support.google.com/mail/?p=WantAuthError - gsmtp"),
	imap: map[idp.Reason]*imap.Error{
		idp.UnknownToken: imapNo(imap.ResponseCodeAuthenticationFailed, "Invalid credentials (Failure)"),
		idp.ProtocolOff:  imapNo(imap.ResponseCodeAlert, "Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)"),
	},
	imapBasic: imapNo(imap.ResponseCodeAlert, "Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)"),
	pop3: map[idp.Reason]string{
		idp.UnknownToken: "[AUTH] Username and password not accepted.",
		idp.ProtocolOff:  "[SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail settings page and enable your account for POP access.",
	},
	pop3Basic: "[AUTH] Application-specific password required: https://support.google.com/accounts/answer/185833",
}

func smtpError(code, class, subject, detail int, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text}
}

func imapNo(code imap.ResponseCode, text string) *imap.Error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}

// pop3Error is what stands behind -ERR.
type pop3Error string

func (e pop3Error) Error() string { return string(e) }

// rehearsed are local parts of recipients that are refused, so that refusals can be tried.
var rehearsed = map[string]*smtp.SMTPError{
	"unknown":   smtpError(550, 5, 1, 10, "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
	"full":      smtpError(552, 5, 2, 2, "STOREDRV.Deliver; mailbox is full"),
	"blocked":   smtpError(550, 5, 7, 1, "Message rejected due to content restrictions"),
	"throttled": smtpError(451, 4, 7, 500, "Server busy. Please try again later from [127.0.0.1]"),
}

// greylisted is the local part that is refused at first and taken at the next try.
const greylisted = "later"

var errGreylisted = smtpError(451, 4, 7, 1, "Greylisted, please try again in 60 seconds")

func localPart(address string) string {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	return local
}
