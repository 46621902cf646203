"""libuv's error codes, all negative: ``UV_ENOENT`` and its kin, ``errorcode`` and ``strerror``."""

from typing import Final

errorcode: Final[dict[int, str]]
"""From each code to its name."""

def strerror(errorno: int, /) -> str:
    """The message for an error code.

    Raises ValueError for a number that is not negative and so no error code. `uv_strerror`
    """

UV_E2BIG: Final[int]
UV_EACCES: Final[int]
UV_EADDRINUSE: Final[int]
UV_EADDRNOTAVAIL: Final[int]
UV_EAFNOSUPPORT: Final[int]
UV_EAGAIN: Final[int]
UV_EAI_ADDRFAMILY: Final[int]
UV_EAI_AGAIN: Final[int]
UV_EAI_BADFLAGS: Final[int]
UV_EAI_BADHINTS: Final[int]
UV_EAI_CANCELED: Final[int]
UV_EAI_FAIL: Final[int]
UV_EAI_FAMILY: Final[int]
UV_EAI_MEMORY: Final[int]
UV_EAI_NODATA: Final[int]
UV_EAI_NONAME: Final[int]
UV_EAI_OVERFLOW: Final[int]
UV_EAI_PROTOCOL: Final[int]
UV_EAI_SERVICE: Final[int]
UV_EAI_SOCKTYPE: Final[int]
UV_EALREADY: Final[int]
UV_EBADF: Final[int]
UV_EBUSY: Final[int]
UV_ECANCELED: Final[int]
UV_ECHARSET: Final[int]
UV_ECONNABORTED: Final[int]
UV_ECONNREFUSED: Final[int]
UV_ECONNRESET: Final[int]
UV_EDESTADDRREQ: Final[int]
UV_EEXIST: Final[int]
UV_EFAULT: Final[int]
UV_EFBIG: Final[int]
UV_EHOSTUNREACH: Final[int]
UV_EINTR: Final[int]
UV_EINVAL: Final[int]
UV_EIO: Final[int]
UV_EISCONN: Final[int]
UV_EISDIR: Final[int]
UV_ELOOP: Final[int]
UV_EMFILE: Final[int]
UV_EMSGSIZE: Final[int]
UV_ENAMETOOLONG: Final[int]
UV_ENETDOWN: Final[int]
UV_ENETUNREACH: Final[int]
UV_ENFILE: Final[int]
UV_ENOBUFS: Final[int]
UV_ENODEV: Final[int]
UV_ENOENT: Final[int]
UV_ENOMEM: Final[int]
UV_ENONET: Final[int]
UV_ENOPROTOOPT: Final[int]
UV_ENOSPC: Final[int]
UV_ENOSYS: Final[int]
UV_ENOTCONN: Final[int]
UV_ENOTDIR: Final[int]
UV_ENOTEMPTY: Final[int]
UV_ENOTSOCK: Final[int]
UV_ENOTSUP: Final[int]
UV_EOVERFLOW: Final[int]
UV_EPERM: Final[int]
UV_EPIPE: Final[int]
UV_EPROTO: Final[int]
UV_EPROTONOSUPPORT: Final[int]
UV_EPROTOTYPE: Final[int]
UV_ERANGE: Final[int]
UV_EROFS: Final[int]
UV_ESHUTDOWN: Final[int]
UV_ESPIPE: Final[int]
UV_ESRCH: Final[int]
UV_ETIMEDOUT: Final[int]
UV_ETXTBSY: Final[int]
UV_EXDEV: Final[int]
UV_UNKNOWN: Final[int]
UV_EOF: Final[int]
UV_ENXIO: Final[int]
UV_EMLINK: Final[int]
UV_EHOSTDOWN: Final[int]
UV_EREMOTEIO: Final[int]
UV_ENOTTY: Final[int]
UV_EFTYPE: Final[int]
UV_EILSEQ: Final[int]
UV_ESOCKTNOSUPPORT: Final[int]
UV_ENODATA: Final[int]
UV_EUNATCH: Final[int]
UV_ENOEXEC: Final[int]

__all__ = [
    "UV_E2BIG",
    "UV_EACCES",
    "UV_EADDRINUSE",
    "UV_EADDRNOTAVAIL",
    "UV_EAFNOSUPPORT",
    "UV_EAGAIN",
    "UV_EAI_ADDRFAMILY",
    "UV_EAI_AGAIN",
    "UV_EAI_BADFLAGS",
    "UV_EAI_BADHINTS",
    "UV_EAI_CANCELED",
    "UV_EAI_FAIL",
    "UV_EAI_FAMILY",
    "UV_EAI_MEMORY",
    "UV_EAI_NODATA",
    "UV_EAI_NONAME",
    "UV_EAI_OVERFLOW",
    "UV_EAI_PROTOCOL",
    "UV_EAI_SERVICE",
    "UV_EAI_SOCKTYPE",
    "UV_EALREADY",
    "UV_EBADF",
    "UV_EBUSY",
    "UV_ECANCELED",
    "UV_ECHARSET",
    "UV_ECONNABORTED",
    "UV_ECONNREFUSED",
    "UV_ECONNRESET",
    "UV_EDESTADDRREQ",
    "UV_EEXIST",
    "UV_EFAULT",
    "UV_EFBIG",
    "UV_EFTYPE",
    "UV_EHOSTDOWN",
    "UV_EHOSTUNREACH",
    "UV_EILSEQ",
    "UV_EINTR",
    "UV_EINVAL",
    "UV_EIO",
    "UV_EISCONN",
    "UV_EISDIR",
    "UV_ELOOP",
    "UV_EMFILE",
    "UV_EMLINK",
    "UV_EMSGSIZE",
    "UV_ENAMETOOLONG",
    "UV_ENETDOWN",
    "UV_ENETUNREACH",
    "UV_ENFILE",
    "UV_ENOBUFS",
    "UV_ENODATA",
    "UV_ENODEV",
    "UV_ENOENT",
    "UV_ENOEXEC",
    "UV_ENOMEM",
    "UV_ENONET",
    "UV_ENOPROTOOPT",
    "UV_ENOSPC",
    "UV_ENOSYS",
    "UV_ENOTCONN",
    "UV_ENOTDIR",
    "UV_ENOTEMPTY",
    "UV_ENOTSOCK",
    "UV_ENOTSUP",
    "UV_ENOTTY",
    "UV_ENXIO",
    "UV_EOF",
    "UV_EOVERFLOW",
    "UV_EPERM",
    "UV_EPIPE",
    "UV_EPROTO",
    "UV_EPROTONOSUPPORT",
    "UV_EPROTOTYPE",
    "UV_ERANGE",
    "UV_EREMOTEIO",
    "UV_EROFS",
    "UV_ESHUTDOWN",
    "UV_ESOCKTNOSUPPORT",
    "UV_ESPIPE",
    "UV_ESRCH",
    "UV_ETIMEDOUT",
    "UV_ETXTBSY",
    "UV_EUNATCH",
    "UV_EXDEV",
    "UV_UNKNOWN",
    "errorcode",
    "strerror",
]
