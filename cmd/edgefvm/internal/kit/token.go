package kit

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// ReadToken reads the token of a node from a file. Lotus writes its token alone; FULLNODE_API_INFO has the address after it.
func ReadToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return "", err
	}
	token, _, _ := strings.Cut(strings.TrimSpace(string(data)), ":")
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s: it holds no token, which is one word", path)
	}
	return token, nil
}
