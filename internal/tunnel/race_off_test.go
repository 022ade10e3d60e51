//go:build !race

package tunnel

// raceDetector multiplies the memory of a program.
const raceDetector = false
