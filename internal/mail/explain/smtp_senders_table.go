package explain

var senderSMTP = []Entry{}
