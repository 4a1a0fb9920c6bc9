package ttp

import "context"

// ConfidenceSteps is the number of ranges of a [ConfidenceRow].
const ConfidenceSteps = 10

// ConfidenceRow counts the tags of a technique or sub-technique in a scope by confidence.
type ConfidenceRow struct {
	TechniqueID      string `json:"technique_id"`
	TechniqueName    string `json:"technique_name,omitempty"`
	SubTechniqueID   string `json:"sub_technique_id,omitempty"`
	SubTechniqueName string `json:"sub_technique_name,omitempty"`
	Count            int64  `json:"count"`
	// Counts holds the number of tags in each range of confidence: from 0 to below 0.1, from 0.1 to below 0.2, and so
	// on. The last range, from 0.9, includes 1.
	Counts [ConfidenceSteps]int64 `json:"counts"`
}

// Confidences counts the scope's tags that match f by technique and confidence, in the order of [Store.Rollup]. It
// reads the index of the scope once for each range.
func (s *Store) Confidences(ctx context.Context, scope Scope, f Filter) ([]ConfidenceRow, error) {
	const op = "confidences"
	var c checker
	filter := f.filterArgs(&c)
	scope.check(&c)
	if err := c.queryError(); err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	names, err := s.names(ctx, op)
	if err != nil {
		return nil, err
	}
	rollup := rollup{catalogue: names}
	read := func(ctx context.Context, q queries, m members, a args) ([]ConfidenceRow, error) {
		all, err := rollup.read(ctx, q, m, a)
		if err != nil {
			return nil, err
		}
		rows := make([]ConfidenceRow, len(all))
		byTechnique := map[[2]string]*ConfidenceRow{}
		for i, r := range all {
			rows[i] = ConfidenceRow{r.TechniqueID, r.TechniqueName, r.SubTechniqueID, r.SubTechniqueName, r.Count, [ConfidenceSteps]int64{r.Count}}
			byTechnique[[2]string{r.TechniqueID, r.SubTechniqueID}] = &rows[i]
		}
		a.filterArgs = a.orEverything()
		for step := 1; step < ConfidenceSteps; step++ { // counts the tags from the step up; the next loop subtracts
			a.MinConfidence = max(f.MinConfidence, float64(step)/ConfidenceSteps)
			above, err := rollup.read(ctx, q, m, a)
			if err != nil {
				return nil, err
			}
			for _, r := range above {
				if row := byTechnique[[2]string{r.TechniqueID, r.SubTechniqueID}]; row != nil {
					row.Counts[step] = r.Count
				}
			}
		}
		for i := range rows {
			for step := range ConfidenceSteps - 1 {
				rows[i].Counts[step] -= rows[i].Counts[step+1]
			}
		}
		return rows, nil
	}
	return snapshot(ctx, s, op, readMembers(ctx, scope, filter, read))
}
