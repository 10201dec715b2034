/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers of op_alu.c for flat segments. */
#define OP_FLAT
#include "cpu/interp/op_alu.c"
