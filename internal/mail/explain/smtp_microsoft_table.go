package explain

var microsoftSMTP = []Entry{}
