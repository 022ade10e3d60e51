//go:build !unix

package proxy

const readsNow = false

// readNow is never called: newWire offers no descriptor here.
func readNow(int, []byte) (int, error) { return 0, errNotReady }

func hungUp(int) (gone, known bool) { return false, true }

func nap() bool { return false }
