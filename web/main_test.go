package web_test

import (
	"testing"

	"orbit/web/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }
