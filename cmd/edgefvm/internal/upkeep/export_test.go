package upkeep

// What the JSON of the commands is read into.
type (
	CacheView = cacheView
	BuildView = buildView
)
