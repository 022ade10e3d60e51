package ui

// Policy is the Content-Security-Policy under which every part works: nothing inline, nothing evaluated, no other
// host, no frame around Orbit.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
