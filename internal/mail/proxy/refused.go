package proxy

import (
	"fmt"
	"net"
	"strings"
)

// refusesToken stands between a server and its words in the text that clients get, and tells them apart again.
const refusesToken = " refuses the access token: "

func tokenRefusal(server, words string) string { return fmt.Sprint(server, refusesToken, words) }

// TokenRefusal takes the reply of a proxy apart that repeats why the server behind it does not accept a token:
// "535 5.7.8 smtp.office365.com:587 refuses the access token: 535 5.7.139 Authentication unsuccessful". Orbit's own
// accounts are clients of its proxy, too, and explain the server's words and not the proxy's.
func TokenRefusal(reply string) (host, port, words string, ok bool) {
	before, words, found := strings.Cut(reply, refusesToken)
	host, port, err := net.SplitHostPort(before[strings.LastIndex(before, " ")+1:])
	if !found || err != nil {
		return "", "", "", false
	}
	return host, port, words, true
}
