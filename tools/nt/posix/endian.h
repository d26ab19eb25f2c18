/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NT_ENDIAN_H
#define NT_ENDIAN_H

#define le16toh(n) ((uint16_t)(n))
#define le32toh(n) ((uint32_t)(n))
#define htole16(n) ((uint16_t)(n))
#define htole32(n) ((uint32_t)(n))

#endif /* NT_ENDIAN_H */
