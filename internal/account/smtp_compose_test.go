package account

import "testing"

func TestForceUseOfConfigurationDecidesWhoseAddressesWin(t *testing.T) {
	t.Parallel()
	settings := office365().Normalise()
	settings.ReplyToEmail, settings.ReturnPathEmail, settings.ConfirmationEmail = "r@a.example", "b@a.example", "c@a.example"
	event := Content{ReplyTo: "r@e.example", ReturnPath: "b@e.example", Confirmation: "c@e.example"}

	got := Compose(settings, event, "")
	if got.ReplyTo.Address != event.ReplyTo || got.ReturnPath != event.ReturnPath || got.ConfirmationTo != event.Confirmation {
		t.Errorf("No lets the event override the account: %+v", got)
	}
	settings.ForceConfiguration = true
	got = Compose(settings, event, "")
	if got.ReplyTo.Address != settings.ReplyToEmail || got.ReturnPath != settings.ReturnPathEmail || got.ConfirmationTo != settings.ConfirmationEmail {
		t.Errorf("Yes makes the account win: %+v", got)
	}
	settings.ForceConfiguration = false
	if got = Compose(settings, Content{}, ""); got.ReplyTo.Address != settings.ReplyToEmail {
		t.Errorf("an event that brings nothing leaves the account's: %+v", got)
	}
}

func TestReadConfirmationAndFooterAreAskedForBySwitches(t *testing.T) {
	t.Parallel()
	settings := office365().Normalise()
	settings.SendReadConfirmation, settings.EnableFooter = false, false
	if got := Compose(settings, Content{}, "footer"); got.ConfirmationTo != "" || got.Footer != "" {
		t.Errorf("switches set to No: %+v", got)
	}
	settings.SendReadConfirmation, settings.EnableFooter = true, true
	if got := Compose(settings, Content{}, "footer"); got.ConfirmationTo != settings.ConfirmationEmail || got.Footer != "footer" {
		t.Errorf("switches set to Yes: %+v", got)
	}
}
