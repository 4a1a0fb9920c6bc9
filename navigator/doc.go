// Package navigator writes layers of the ATT&CK Navigator, in its layer format 4.5.
//
// [New] draws the matrix of one release, [Diff] what two matrices of a release share. [Write] puts one or several
// layers into a file, which [Validate] checks against the format and the releases that the layers are of.
package navigator
