//go:build !linux

package proxy

// readsNow says that this system can read and write without waiting. Elsewhere sessions hold a small
// buffer while they wait; the functions below are never called.
const readsNow = false

func readNow(int, []byte) (int, error)  { return 0, errNotReady }
func writeNow(int, []byte) (int, error) { return 0, errNotReady }
func hungUp(int) (gone, known bool)     { return false, true }
