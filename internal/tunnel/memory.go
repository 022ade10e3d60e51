package tunnel

import (
	"os"
	"runtime/debug"
)

// memoryGoal keeps an agent with a thousand tunnels under 100 MB, the code of the program aside, also while destinations
// take nothing and every tunnel holds something for them. Without it the collector lets the heap grow to twice of what is
// in use before it looks: yamux makes a larger buffer for nearly every frame and leaves the old one behind.
const memoryGoal = 90 << 20

// LimitMemory has the collector of this process keep to what an agent should take. It is for the process of an agent;
// GOMEMLIMIT says otherwise.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
}
