package explain

var enhancedSMTP = []Entry{}
