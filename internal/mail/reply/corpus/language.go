package corpus

// Language is what differs between the mails of people in different countries: who writes, what they answer, and
// the words that their programs put around it.
type Language struct {
	Code                              string
	Name, First, Address, Domain      string
	Card                              []string // lines of the business card below a letter
	Closing                           string
	Re, Fwd                           string // prefixes of Outlook
	Subject                           string // of the message that Orbit sent
	Notice                            []string
	Answers                           []Answer
	On                                On
	Labels                            Labels
	Original                          string // "Original message"
	IPhone, OutlookMobile, YahooPhone string
	Disclaimer                        string
	Away                              Away
	Read                              Read
	Undelivered                       Undelivered
}

// Answer is a text that a person writes, and the decision in it.
type Answer struct{ Text, Decision string }

// On holds the sentences that introduce a quotation. Those that are too long are wrapped as the program does it.
type On struct{ Gmail, Apple, Thunderbird, Yahoo, Roundcube, Proton string }

// Labels are the words of Outlook's copy of a header.
type Labels struct{ From, Sent, To, Subject, Date string }

// Away is an absence note.
type Away struct{ Subject, Plain, Text string }

// Read is a receipt: "was read on".
type Read struct{ Subject, Text, Prose string }

// Undelivered is how Exchange says it.
type Undelivered struct{ Subject, Text, Why, Details string }

// Languages are the five that approvers are expected to write in.
func Languages() []Language { return []Language{english, portuguese, spanish, german, french} }
