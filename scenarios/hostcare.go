package scenarios

// hostCareVerbs repair and change hosts.
var hostCareVerbs = []verb{}
