package explain

var googleSMTP = []Entry{}
