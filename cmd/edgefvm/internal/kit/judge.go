package kit

import (
	"context"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

// JudgeBy judges by the laboratory's rules, which know the official vectors that run otherwise than their files say.
func JudgeBy(actors *vector.Actors, engine *fvm.Engine) func(context.Context, *vector.Vector, int) explain.Verdict {
	return func(ctx context.Context, v *vector.Vector, variant int) explain.Verdict {
		o := conformance.RunVector(ctx, v, variant, &conformance.Options{Actors: actors, Engine: engine})
		verdict := explain.Verdict{Matches: o.Status == conformance.Passed, Traced: o.Traced}
		for _, d := range o.Differences {
			verdict.Differs = append(verdict.Differs, d.String())
		}
		if o.Error != "" {
			verdict.Differs = append(verdict.Differs, o.Error)
		}
		return verdict
	}
}
