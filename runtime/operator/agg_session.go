package operator

func newAggSession(o AggWindowOptions) Operator { return nil }
