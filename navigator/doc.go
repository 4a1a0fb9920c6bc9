// Package navigator writes layers of the ATT&CK Navigator, in its layer format 4.5.
//
// [New] returns the layer of a matrix, and [Diff] the layer of the differences between two matrices of one release.
// [Write] writes layers to a file, which [Validate] checks against the format and the releases of the layers.
package navigator
