package insight

import "context"

func (x *explanation) restate(ctx context.Context, out *Explanation) error { return nil }
