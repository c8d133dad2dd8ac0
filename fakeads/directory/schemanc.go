package directory

// firstSchemaID is where the ids of schema objects begin: they are made late and must not disturb the others'.
const firstSchemaID uint32 = 1 << 31
