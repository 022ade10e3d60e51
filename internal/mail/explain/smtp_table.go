package explain

import "slices"

// smtpEntries is the dictionary of SMTP replies: what providers say, then what servers say, then what the
// standard's codes mean, then what is left.
var smtpEntries = slices.Concat(microsoftSMTP, googleSMTP, senderSMTP, commonSMTP, enhancedSMTP, lastSMTP)
