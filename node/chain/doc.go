// Package chain derives from a chain's blocks what executing them needs, and what its headers say of the result.
package chain
