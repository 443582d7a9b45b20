//go:build !windows

package wholefile

import (
	"path/filepath"

	"github.com/google/renameio/v2"
)

// create opens a file beside path, whose name nobody can foresee, and which takes its place when it is closed so. It is
// made there because renameio would else try the temporary folder, where writers of one system meet.
func create(path string) (*renameio.PendingFile, error) {
	return renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)),
		renameio.WithPermissions(0o666), renameio.WithExistingPermissions())
}
