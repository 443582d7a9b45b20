//go:build wasmedge && cgo && linux

package wasmedge

import "time"

const sceneTime = time.Minute

var scenes = map[string]func() error{}
