package web_test

import (
	"net/http"
	"strings"
	"testing"

	"orbit/internal/identity"
)

const parametersPath = "/settings/system-parameters/application"

// parameters are all fields of the form as it comes, changed by pairs.
func parameters(version string, changed ...string) []string {
	pairs := []string{
		"version", version, "default_network_connector_id", "", "footer_text", "", "report_rows", "30", "sent_retention_days", "180",
		"received_retention_days", "180", "screen_retention_days", "30", "sender_max_connections", "4", "sender_max_messages_per_minute", "",
	}
	for i := 0; i+1 < len(changed); i += 2 {
		for j := 0; j < len(pairs); j += 2 {
			if pairs[j] == changed[i] {
				pairs[j+1] = changed[i+1]
			}
		}
	}
	return pairs
}

func TestParametersAreSaved(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	ana := s.as("ana")
	ana.get(parametersPath).is(http.StatusOK, "Application connection parameters", "Report settings", `value="30"`, "There is no footer.").hides("Last changed")
	ana.post(parametersPath, parameters("", "footer_text", "Orbit\r\nDo not answer.", "report_rows", "50", "sender_max_messages_per_minute", "100")...).
		leads(parametersPath)
	ana.get(parametersPath).is(http.StatusOK, "The application parameters are saved", "Do not answer.", "at most 100 messages per minute", "Last changed", " by ana")
	stored, err := s.settings.Application(t.Context())
	if err != nil || stored.FooterText != "Orbit\nDo not answer." || stored.ReportRows != 50 || stored.SenderMaxMessagesPerMinute != 100 || stored.Version != 1 {
		t.Errorf("got %+v, %v", stored, err)
	}
}

func TestEverythingWrongWithParametersIsSaidAtOnce(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.as("ana").post(parametersPath, parameters("", "report_rows", "many", "sent_retention_days", "0", "footer_text", strings.Repeat("x", 4001),
		"sender_max_connections", "1001")...).
		is(http.StatusUnprocessableEntity, "4 things need your attention", "Rows on a report page must be a whole number", `value="many"`,
			"Enter a number from 1 to 3650.", "The footer is longer than 4000 characters", "Enter a number from 1 to 1000.").
		hides("from 5 to 500")
}

func TestSecondToSaveParametersSeesTheDifference(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.somebody("ben", identity.Administrator)
	s.connector("site-b", true)
	ana, ben := s.as("ana"), s.as("ben")
	ben.post(parametersPath, parameters("", "default_network_connector_id", "2", "report_rows", "60")...).leads(parametersPath)
	page := ana.post(parametersPath, parameters("", "report_rows", "70")...).
		is(http.StatusConflict, "ben changed this while you were working on it", "<td>direct</td><td>site-b</td>", "<td>70</td><td>60</td>", `value="70"`)
	if !strings.Contains(page.body, `name="version" value="1"`) {
		t.Error("saving again would be refused again")
	}
	ana.post(parametersPath, parameters("1", "report_rows", "70")...).leads(parametersPath)
}

func TestSummaryOfParametersFollows(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	s.connector("site-b", true)
	ana := s.as("ana")
	ana.post(parametersPath+"/summary", parameters("", "default_network_connector_id", "2", "report_rows", "5", "footer_text", "<b>bold</b>")...).
		is(http.StatusOK, "through site-b", "5 rows<", "&lt;b&gt;bold&lt;/b&gt;").hides("<html")
	ana.post(parametersPath+"/summary", parameters("", "report_rows", "")...).is(http.StatusOK, "missing or not possible")
}

func TestOnlyAdministratorsChangeParameters(t *testing.T) {
	s := newSite(t)
	s.somebody("udo", identity.Auditor)
	udo := s.as("udo")
	udo.get(parametersPath).is(http.StatusOK, "Footer text", " disabled").hides("data-busy")
	udo.post(parametersPath, parameters("", "report_rows", "50")...).is(http.StatusForbidden)
	s.somebody("mia", identity.Member)
	s.as("mia").get(parametersPath).is(http.StatusForbidden)
	if stored, err := s.settings.Application(t.Context()); err != nil || stored.ReportRows != 30 {
		t.Errorf("got %+v, %v", stored, err)
	}
}
