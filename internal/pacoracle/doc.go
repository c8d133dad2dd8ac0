// Package pacoracle lets a decoder that is not ours judge the privilege attribute certificates that fakekdc/pac makes and fakekdc
// issues: go-msrpc, whose PAC is generated from the IDL of [MS-PAC]. Signatures are computed anew with gokrb5's checksum functions, so
// neither decoding nor cryptography is our own here.
//
// It is a module of its own because the judge has 122 MB, which nobody who uses the simulator shall download.
package pacoracle
