package audit

import (
	"encoding/hex"
	"reflect"
	"testing"
	"time"
)

func exampleLink() link {
	return link{
		At: time.Date(2026, 11, 23, 15, 0, 0, 123456000, time.UTC), ActorKind: User, ActorID: 1, ActorName: "ana",
		ActorAddress: "192.0.2.1", Action: "credential.used", Object: "credential", ObjectID: 7, ObjectName: "Office365",
		Detail: []byte(`{"destination":"smtp.example.com:587"}`), PreviousHash: noHash,
	}
}

func TestHashOfAnEntryStaysTheSame(t *testing.T) {
	l := exampleLink()
	const golden = "78f75fb083f436e0e58ac7e91c139f15e9074f28485b97b354caa883b6d9726c"
	if got := hex.EncodeToString(l.computeHash()); got != golden {
		t.Errorf("the encoding changed, existing trails would no longer verify: got %s", got)
	}
	l.At = l.At.In(time.FixedZone("", -3*3600))
	if got := hex.EncodeToString(l.computeHash()); got != golden {
		t.Error("the hash depends on the time zone")
	}
}

func TestHashCoversEveryField(t *testing.T) {
	original := exampleLink()
	for i := range reflect.TypeFor[link]().NumField() {
		changed := exampleLink()
		name := reflect.TypeFor[link]().Field(i).Name
		switch field := reflect.ValueOf(&changed).Elem().Field(i); v := field.Interface().(type) {
		case string:
			field.SetString(v + "x")
		case Kind:
			field.SetString(string(Token))
		case int64:
			field.SetInt(v + 1)
		case time.Time:
			field.Set(reflect.ValueOf(v.Add(time.Microsecond)))
		case []byte:
			field.SetBytes(append([]byte("x"), v...))
		default:
			t.Fatalf("a field of another type: %s", name)
		}
		covered := hex.EncodeToString(changed.computeHash()) != hex.EncodeToString(original.computeHash())
		if want := name != "ID" && name != "Hash"; covered != want {
			t.Errorf("%s: covered by the hash: %v, want %v", name, covered, want)
		}
	}
}
