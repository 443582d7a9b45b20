package proving

// What the JSON of the commands is read into.
type (
	KeysView = keysView
	KeyView  = keyView
)
