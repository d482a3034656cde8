package dataset_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// ofNames are about names of clients, which whoever sees all clients may decide on.
var ofNames = []string{"Matches", "DecideMatch", "UndoMatch", "Match", "FillMatches", "MatchRows"}

// Stored tables, imports and what they rejected are about all clients: nothing of them is
// shown or done in part. A new method fails until it refuses, too.
func TestWhoSeesAPartIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	scope := reflect.TypeFor[tenant.Scope]()
	for _, rights := range []tenant.Rights{{Role: "manager", Clients: []string{"Harbor Dental"}}, {Role: "lead", Teams: []string{"Service Desk"}}, {Role: "technician", Hidden: []tenant.Class{tenant.Pay}}} {
		asks := tenant.Scope{Tenant: "acme", Actor: "user:7", Rights: &rights}
		service, n := reflect.ValueOf(&dataset.Service{}), 0
		for i := range service.NumMethod() {
			name, method := service.Type().Method(i).Name, service.Method(i)
			args, takes := []reflect.Value{}, false
			for at := range method.Type().NumIn() {
				arg := reflect.New(method.Type().In(at)).Elem()
				switch {
				case method.Type().In(at) == scope:
					arg, takes = reflect.ValueOf(asks), true
				case at == 0:
					arg = reflect.ValueOf(t.Context())
				}
				args = append(args, arg)
			}
			if !takes || rights.SeesAllRows() && slices.Contains(ofNames, name) {
				continue
			}
			n++
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%s goes on for %s: %v", name, rights.Role, p)
					}
				}()
				out := method.Call(args)
				if err, _ := out[len(out)-1].Interface().(error); fault.KindOf(err) != fault.Forbidden {
					t.Errorf("%s for %s: %v", name, rights.Role, err)
				}
			}()
		}
		if n < 25 {
			t.Errorf("%d methods were asked", n)
		}
	}
}
