package explain

var commonSMTP = []Entry{}
