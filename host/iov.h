/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies between a buffer and the buffers of an iovec.
 */
#ifndef LKL_IOV_H
#define LKL_IOV_H

#include <string.h>
#include <lkl_host.h>

/* The number of bytes in the buffers. */
static inline size_t iov_length(const struct iovec *iov, unsigned int count)
{
	size_t sum = 0;

	for (; count; iov++, count--)
		sum += iov->iov_len;
	return sum;
}

/**
 * iov_put() - copy to the front of the buffers
 * @iov: the buffers
 * @count: number of elements of @iov
 * @from: what to copy
 * @len: how much of it
 *
 * Return: the number of bytes that there was room for
 */
static inline size_t iov_put(const struct iovec *iov, unsigned int count,
			     const void *from, size_t len)
{
	size_t done = 0;

	for (; done < len && count; iov++, count--) {
		size_t n = len - done < iov->iov_len ? len - done
						     : iov->iov_len;

		memcpy(iov->iov_base, (const char *)from + done, n);
		done += n;
	}
	return done;
}

/**
 * iov_get() - copy from the front of the buffers
 * @iov: the buffers
 * @count: number of elements of @iov
 * @to: where to
 * @len: size of @to
 *
 * Return: the number of bytes copied, less than @len if there are no more
 */
static inline size_t iov_get(const struct iovec *iov, unsigned int count,
			     void *to, size_t len)
{
	size_t done = 0;

	for (; done < len && count; iov++, count--) {
		size_t n = len - done < iov->iov_len ? len - done
						     : iov->iov_len;

		memcpy((char *)to + done, iov->iov_base, n);
		done += n;
	}
	return done;
}

/**
 * iov_skip() - take bytes off the front of the buffers
 * @iov: the buffers; the first that remains is shortened
 * @count: number of elements of @iov
 * @len: number of bytes
 *
 * Return: the number of elements that are used up, those without content
 * included
 */
static inline unsigned int iov_skip(struct iovec *iov, unsigned int count,
				    size_t len)
{
	unsigned int i;

	for (i = 0; i < count && len >= iov[i].iov_len; i++)
		len -= iov[i].iov_len;
	if (i < count) {
		iov[i].iov_base = (char *)iov[i].iov_base + len;
		iov[i].iov_len -= len;
	}
	return i;
}

#endif /* LKL_IOV_H */
