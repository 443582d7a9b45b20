// Package update judges the proofs that sealed sectors took data in (empty-sector update).
package update
