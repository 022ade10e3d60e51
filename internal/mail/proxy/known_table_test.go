package proxy

// knownChapters follow the order in which administrators meet things: signing in, what is offered, replies, the
// log, and what else people complain about.
var knownChapters = []struct {
	title string
	rows  []known
}{
	{"Signing in", knownSignIns},
	{"What is offered", knownOffers},
	{"Towards the server", knownUpstream},
	{"Replies", knownReplies},
	{"Complaints", knownComplaints},
	{"Sentences of the log", knownSentences},
}

var knownSignIns = []known{
	{"IMAP LOGIN, quoted", "a quoted backslash stays escaped; no user name with a space", "RFC 9051 strings",
		[]string{"TestIMAPSignsInByEveryForm/quoted", "TestIMAPSignsInByEveryForm/escaped", "TestUserNameWithASpaceIsOneName"}},
	{"IMAP LOGIN, atoms", "taken", "taken", []string{"TestIMAPSignsInByEveryForm/atoms", "TestIMAPSignsInByEveryForm/brace atom"}},
	{"IMAP LOGIN, literals that wait", "taken, whatever their length says", "taken by their length, up to a limit",
		[]string{"TestIMAPAsksForWhatIsNotSentAtOnce/synchronising literals", "TestIMAPRefusesAndGoesOn/big literal"}},
	{"IMAP LOGIN, literals that do not wait", "a line end inside breaks them", "any octets",
		[]string{"TestIMAPSignsInByEveryForm/literals", "TestIMAPSignsInByEveryForm/literal with CRLF"}},
	{"IMAP AUTHENTICATE PLAIN", "with and without initial response", "the same",
		[]string{"TestIMAPSignsInByEveryForm/plain", "TestIMAPAsksForWhatIsNotSentAtOnce/plain"}},
	{"the identity to act as in PLAIN", "ignored", "ignored: the credential decides the mailbox", []string{"TestIMAPSignsInByEveryForm/plain authzid"}},
	{"IMAP AUTHENTICATE LOGIN", "passed to the server", "taken",
		[]string{"TestIMAPAsksForWhatIsNotSentAtOnce/login", "TestIMAPAsksForWhatIsNotSentAtOnce/login with initial response"}},
	{"other IMAP mechanisms", "passed to the server", "refused here", []string{"TestIMAPRefusesAndGoesOn/other mechanism"}},
	{"POP3 USER and PASS", "taken", "taken", []string{"TestPOP3SignsInByEveryForm/user and pass"}},
	{"POP3 command between USER and PASS", "`+OK Bye`, closed", "answered, and PASS may follow",
		[]string{"TestPOP3SignsInByEveryForm/noop between", "TestPOP3SignsInByEveryForm/nonsense between"}},
	{"POP3 AUTH PLAIN", "inline or in two steps", "the same",
		[]string{"TestPOP3SignsInByEveryForm/plain inline", "TestPOP3SignsInByEveryForm/plain in two steps"}},
	{"POP3 AUTH alone", "lists PLAIN", "lists PLAIN and LOGIN", []string{"TestPOP3RefusesAndGoesOn/auth list"}},
	{"POP3 AUTH LOGIN", "passed to the server", "taken", []string{"TestPOP3SignsInByEveryForm/login", "TestPOP3SignsInByEveryForm/login inline"}},
	{"POP3 APOP", "passed to the server", "refused here", []string{"TestPOP3RefusesAndGoesOn/apop"}},
	{"SMTP AUTH PLAIN", "inline or in two steps", "the same",
		[]string{"TestSMTPSignsInByEveryForm/plain inline", "TestSMTPSignsInByEveryForm/plain in two steps"}},
	{"SMTP AUTH LOGIN", "with or without the user name", "the same", []string{"TestSMTPSignsInByEveryForm/login", "TestSMTPSignsInByEveryForm/login inline"}},
	{"other SMTP mechanisms", "passed to the server", "504 here", []string{"TestSMTPRefusesAndGoesOn/other mechanism"}},
	{"SMTP STARTTLS where there is none", "454, closed", "502, and the session goes on", []string{"TestSMTPRefusesAndGoesOn/starttls"}},
}

var knownOffers = []known{
	{"greeting", "the server's", "Orbit's own, before any server is asked", []string{"TestIMAPServersWaysToSignInAreNotPassedOn", "TestServerIsNotBotheredWithAWrongPassword"}},
	{"IMAP capabilities before signing in", "the server's, rewritten; STARTTLS stays", "Orbit's own: SASL-IR, AUTH=PLAIN, AUTH=LOGIN, STARTTLS only where it works",
		[]string{"TestIMAPServersWaysToSignInAreNotPassedOn", "TestIMAPRefusesAndGoesOn/capability", "TestClientsMustUseSTARTTLSWhereItIsOffered"}},
	{"IMAP capabilities after it", "untouched", "the server's, without its ways to sign in", []string{"TestIMAPCarriesAlertsAndAsksForCapabilities", "TestIMAPSignsInByEveryForm"}},
	{"POP3 CAPA", "STLS and the APOP timestamp stay", "neither; SASL PLAIN LOGIN and USER beside what can be relayed", []string{"TestPOP3CapabilitiesAreOursAndTheServers"}},
	{"SMTP EHLO", "AUTH PLAIN LOGIN; AUTH=... and [XCLIENT] pass", "AUTH PLAIN LOGIN beside what can be relayed, nothing else",
		[]string{"TestSMTPServersOldFormOfAuthIsNotPassedOn", "TestSMTPRefusesAndGoesOn/xclient"}},
	{"SMTP STARTTLS in EHLO", "only with local_starttls", "only with a local certificate, and then it must be used", []string{"TestClientsMustUseSTARTTLSWhereItIsOffered"}},
	{"SMTP EHLO after AUTH", "shows XOAUTH2", "hides it", []string{"TestSMTPSecondHelloHidesTheServersMechanisms"}},
}

var knownUpstream = []known{
	{"mechanism", "XOAUTH2 in one line, whatever is offered", "XOAUTH2 or OAUTHBEARER by what is offered, in one line only with SASL-IR or where it fits",
		[]string{"TestUpstreamIsReachedByWhatItOffers", "TestServerWithoutOAuthIsNamed", "TestSMTPLongTokenTravelsByItself"}},
	{"order", "the server first, the password after", "the password first: a wrong one reaches no server", []string{"TestServerIsNotBotheredWithAWrongPassword"}},
	{"STARTTLS", "SMTP only; two replies to EHLO become one", "all three protocols, nothing before TLS is believed",
		[]string{"TestUpstreamIsReachedByWhatItOffers", "TestUnreachableServerEndsTheSession/injected"}},
	{"after the sign-in", "raw bytes both ways", "raw bytes both ways", []string{"TestRelayChangesNothing", "TestIdleHearsOfNewMail"}},
}

var knownReplies = []known{
	{"wrong local password", "no response code", "[AUTHENTICATIONFAILED], [AUTH], 535 5.7.8; the session goes on",
		[]string{"TestIMAPRefusesAndGoesOn/wrong password", "TestPOP3RefusesAndGoesOn/wrong password", "TestSMTPRefusesAndGoesOn/wrong password"}},
	{"unknown account", "the reply names the account and the file to edit", "as for a wrong password; the log says which",
		[]string{"TestIMAPRefusesAndGoesOn/unknown account", "TestPOP3RefusesAndGoesOn/unknown account", "TestSMTPRefusesAndGoesOn/unknown account"}},
	{"empty or malformed credentials", "NO without a code", "as for a wrong password",
		[]string{"TestIMAPRefusesAndGoesOn/empty plain", "TestIMAPRefusesAndGoesOn/malformed plain", "TestPOP3RefusesAndGoesOn/empty password", "TestSMTPRefusesAndGoesOn/malformed"}},
	{"cancelled with *", "NO, -ERR, 535", "BAD, -ERR, 501",
		[]string{"TestIMAPRefusesAndGoesOn/cancelled", "TestPOP3RefusesAndGoesOn/cancelled", "TestSMTPRefusesAndGoesOn/cancelled"}},
	{"nobody has authorised yet", "silence for up to 600 s", "at once [UNAVAILABLE] with [ALERT], [SYS/TEMP], 454 4.7.0",
		[]string{"TestBackendsReasonsBecomeReplies", "internal/proxyhost TestMissingAuthorisationIsAskedForOnceInTheLog"}},
	{"the server refuses the token", "its challenge reaches a client that waits for ever", "answered here, the token refreshed once; then one final reply",
		[]string{"TestChallengeOfARefusedTokenStaysHere", "TestRefusedTokenIsRefreshedOnce", "TestTokenRefusedTwiceIsAnAuthenticationFailure"}},
	{"the server is busy", "as a refused token", "temporary, and the token stays", []string{"TestTemporaryRejectionLeavesTheTokenAlone"}},
}

var knownComplaints = []known{
	{"1. cost of a login", "310 ms of CPU for key derivation", "no derivation at the login; make bench-proxy prints the cost", []string{"TestProxyBesideDirect", "TestFailuresAreDelayed"}},
	{"2. 507 connections, then silence", "select()", "limits that are said in the protocol", []string{"TestLimitsAreExplicit", "TestAccountsHaveALimitOfTheirOwn"}},
	{"3. a burst loses connections", "listen(5)", "the system's queue", []string{"TestBurstOfConnectsIsServed"}},
	{"4. a slow client fills the memory", "an endless buffer", "it stops the sender", []string{"TestStalledReaderStopsTheSender"}},
	{"5. the server's challenge hangs the client", "forwarded", "answered here", []string{"TestChallengeOfARefusedTokenStaysHere", "TestRefusedTokenIsRefreshedOnce"}},
	{"6. waiting for a person", "each client waits and asks anew", "one request for all, answered at once; a client that leaves is noticed",
		[]string{"internal/proxyhost TestMissingAuthorisationIsAskedForOnceInTheLog", "TestClientThatLeavesEndsItsSignIn"}},
	{"7. state is not checked", "any request counts as success", "single use, PKCE always; strays change nothing, errors are explained",
		[]string{"internal/oauth TestStateIsUsedOnceBy20Browsers", "internal/oauth TestStrayRequestsChangeNothing",
			"internal/oauth TestConsentPageHasEverythingThatProvidersAndRFC9700Want", "internal/oauth TestDeclinedConsentIsExplainedAndKeepsAWorkingGrant"}},
	{"8. a wrong password deletes tokens", "by default, on all interfaces", "delayed and counted; the grant stays, the port is on loopback",
		[]string{"internal/proxyhost TestOnlyRegisteredCredentialsOpenAnything", "TestFailuresAreDelayed", "TestExposedListenersAreRecognised", "internal/proxyhost TestNormaliseFillsWhatFollows"}},
	{"9. the first user takes an account", "sets its password", "only registered credentials, also behind a catch-all",
		[]string{"internal/proxyhost TestOnlyRegisteredCredentialsOpenAnything", "internal/proxyhost TestCatchAllIsForRegisteredCredentialsOnly"}},
	{"10. refresh", "at the login only, by each; all faults are the internet's", "once for all processes, early, with the provider's own words",
		[]string{"internal/proxyhost TestHundredLoginsWithAnExpiredTokenAskOnce", "internal/oauth TestHundredSignInsInTwoProcessesAskOnce",
			"internal/oauth TestBackgroundRefreshAtEightyPercentIsDoneByOneProcess", "internal/oauth TestRetryAfterIsHonoured", "internal/oauth TestNetworkErrorKeepsTheGrantAndBacksOff",
			"internal/oauth TestRefusedClientFlagsItsGrantsUntilTheSecretIsReplaced"}},
	{"11. tokens in a file", "rewritten in place", "rows of a database, before they are used",
		[]string{"internal/oauth TestRotatedRefreshTokenIsStoredBeforeTheTokenIsUsed", "internal/proxyhost TestAPlanIsStoredWholeOrNotAtAll"}},
	{"12. pipelined passwords reach the server", "EHLO and AUTH in one write", "one command at a time, only those allowed",
		[]string{"TestIMAPPipelinedCommandsWaitForTheSignIn", "TestPOP3PipelinedCommandsWaitForTheSignIn", "TestSMTPPipelinedCommandsWaitForTheSignIn", "TestSMTPChunkBeforeSignInEndsTheSession"}},
	{"13. input that breaks it", "closed, or the wrong code", "any octets but NUL, and the right code",
		[]string{"TestSMTPRefusesAndGoesOn/non-UTF-8", "TestIMAPSignsInByEveryForm/non-UTF-8", "TestPOP3SignsInByEveryForm/nonsense between", "TestIMAPSignsInByEveryForm/literal with CRLF"}},
	{"14. a server that does not answer", "blocks all listeners, or closes without a word", "keeps its own client waiting; [UNAVAILABLE], [SYS/TEMP], 421 4.4.1",
		[]string{"TestASlowServerDelaysNobodyElse", "TestUnreachableServerEndsTheSession"}},
	{"15. TLS from scratch for each connection", "all roots read anew", "sessions are resumed", []string{"internal/mail/dial TestSessionsAreResumedAndCheckedAgain"}},
	{"16. nothing to watch, few choices", "no metrics; XOAUTH2 only, no trust or listener of one's own", "metrics, OAUTHBEARER, STARTTLS, trust rules, registrations for one listener",
		[]string{"internal/proxyhost TestMetricsCount", "TestStatusCountsBytesAndKeepsFailures", "TestUpstreamIsReachedByWhatItOffers",
			"internal/proxyhost TestRegistrationMayBeForOneListenerAlone"}},
	{"17. reloading drops all sessions", "all", "those of what has changed, after a pause",
		[]string{"TestApplyRestartsOnlyWhatHasChanged", "TestStoppingDrainsSessions", "TestStoppingWaitsForAnAnswerThatIsDue", "internal/proxyhost TestOnlyWhatChangedIsRestarted"}},
	{"18. the server's greeting and extensions", "shown", "not shown", []string{"TestIMAPServersWaysToSignInAreNotPassedOn", "TestSMTPSecondHelloHidesTheServersMechanisms"}},
	{"19. stalls of 44 ms", "no TCP_NODELAY", "TCP_NODELAY on both sides", []string{"TestSmallPacketsAreNotHeldBack"}},
}

var knownSentences = []known{
	{"Initialising, Initialised", "when the file is read", "when the process begins, with the database in place of the file", []string{"internal/proxyhost TestTheLogBeginsAsPeopleKnowIt"}},
	{"Starting ... proxying ...", "for each server", "for each listener", []string{"TestSentences"}},
	{"Accepting new connection from", "for each client", "the same", []string{"TestSentences"}},
	{"Authorisation request received for", "with its mode", "with its mode: local server auth for a page, external auth for a device code",
		[]string{"internal/proxyhost TestMissingAuthorisationIsAskedForOnceInTheLog", "internal/proxyhost TestDeviceFlowIsAskedForWithItsCode"}},
	{"Please visit the following URL", "the provider's, for 10 minutes", "Orbit's own, for a day", []string{"internal/proxyhost TestMissingAuthorisationIsAskedForOnceInTheLog"}},
	{"Visit ... and use code", "device flow", "the same", []string{"internal/proxyhost TestDeviceFlowIsAskedForWithItsCode"}},
	{"Successfully authenticated ... releasing session", "after the sign-in", "the same", []string{"TestSentences", "internal/proxyhost TestMailProgramsUseTheMailboxWithALocalPassword"}},
	{"Retrying login ... (invalid password)", "before it deletes the tokens", "never said: nothing is deleted and nothing retried", []string{"internal/proxyhost TestOnlyRegisteredCredentialsOpenAnything"}},
	{"Invalid password to decrypt credentials", "aborting login", "the same words for a wrong password", []string{"TestSentences", "internal/proxyhost TestOnlyRegisteredCredentialsOpenAnything"}},
	{"Retrying login ... refreshing access token", "(attempt N)", "attempt 1: there is only one", []string{"TestSentences", "internal/proxyhost TestTokenThatTheServerRefusesIsRenewedOnce"}},
	{"Warning: no refresh token returned", "at the grant", "the same", []string{"internal/proxyhost TestACommandLeavesWhatItHeardInTheLog"}},
	{"Caught exception while requesting OAuth 2.0 credentials", "with the exception", "with the provider's error explained", []string{"TestSentences"}},
	{"Caught network error (server)", "without the reason", "with it", []string{"TestSentences"}},
	{"Authorisation result error", "aborting login", "with the reason", []string{"TestSentences"}},
	{"Error saving state", "the file is not writable", "never said: there is no file; a new refresh token is in the database before its access token is used", []string{"internal/oauth TestRotatedRefreshTokenIsStoredBeforeTheTokenIsUsed"}},
	{"Are the server's local_starttls and server_starttls settings correct?", "after any TLS error", "where one side speaks TLS and the other does not", []string{"TestSentenceDoubtsTheSTARTTLSSettings"}},
	{"Abandoning setup ... is the proxy already running?", "all servers stop", "only that listener waits, with the same question", []string{"TestSentences", "TestPortInUseIsStandbyUntilItIsFree"}},
}
