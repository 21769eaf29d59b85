"""System call numbers of the two machines we know, and which calls the filter lets through."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _numbers(text: str) -> dict[str, int]:
    return {name: int(number) for name, number in (pair.split(":") for pair in text.split())}


# Allowed whatever the arguments: they act on memory, time, or files that Landlock let the process open.
FREE = _names("""
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close dup dup2 dup3 pipe
    pipe2 stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2
    readlink readlinkat getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename
    renameat renameat2 umask flock fsync fdatasync ftruncate fadvise64 mmap mprotect munmap mremap
    msync madvise brk rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait
    sigaltstack restart_syscall pause getitimer setitimer alarm nanosleep clock_nanosleep clock_gettime
    clock_getres gettimeofday time times select pselect6 poll ppoll futex sched_yield sched_getaffinity getcpu
    set_tid_address set_robust_list rseq getpid getppid gettid getuid geteuid getgid getegid getresuid
    getresgid getgroups getpgrp uname sysinfo getrusage getrlimit getrandom exit exit_group
""")

# Allowed for some arguments only; sandbox.worker.seccomp says which.
CHECKED = _names("""
    kill tkill tgkill fcntl ioctl prlimit64 recvmsg fallocate open openat creat
    getpgid
""")

# Answered with ENOTSUP: libraries that copy files take that as "this file system has none".
UNSUPPORTED = _names("""
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr removexattr
    lremovexattr fremovexattr
""")

# Answered with ENOSYS, so that the C library falls back to a call whose arguments a filter can see.
MISSING = _names("""
    clone3 openat2
""")

# Linux arch/x86/entry/syscalls/syscall_64.tbl
X86_64 = _numbers("""
    read:0 write:1 readv:19 writev:20 pread64:17 pwrite64:18 preadv:295 pwritev:296 preadv2:327 pwritev2:328
    lseek:8 close:3 dup:32 dup2:33 dup3:292 pipe:22 pipe2:293 open:2 openat:257 creat:85 stat:4 lstat:6
    fstat:5 newfstatat:262 statx:332 statfs:137 fstatfs:138 access:21 faccessat:269 faccessat2:439 readlink:89
    readlinkat:267 getdents:78 getdents64:217 getcwd:79 chdir:80 fchdir:81 mkdir:83 mkdirat:258 rmdir:84
    unlink:87 unlinkat:263 rename:82 renameat:264 renameat2:316 umask:95 flock:73 fsync:74 fdatasync:75
    ftruncate:77 fallocate:285 fadvise64:221 mmap:9 mprotect:10 munmap:11 mremap:25 msync:26 madvise:28 brk:12
    rt_sigaction:13 rt_sigprocmask:14 rt_sigreturn:15 rt_sigpending:127 rt_sigsuspend:130 rt_sigtimedwait:128
    sigaltstack:131 restart_syscall:219 pause:34 getitimer:36 setitimer:38 alarm:37 nanosleep:35
    clock_nanosleep:230 clock_gettime:228 clock_getres:229 gettimeofday:96 time:201 times:100 select:23
    pselect6:270 poll:7 ppoll:271 futex:202 sched_yield:24 sched_getaffinity:204 getcpu:309
    set_tid_address:218 set_robust_list:273 rseq:334 getpid:39 getppid:110 gettid:186 getuid:102 geteuid:107
    getgid:104 getegid:108 getresuid:118 getresgid:120 getgroups:115 getpgrp:111 uname:63 sysinfo:99
    getrusage:98 getrlimit:97 getrandom:318 exit:60 exit_group:231 kill:62 tkill:200 tgkill:234 fcntl:72
    ioctl:16 prlimit64:302 recvmsg:47 getpgid:121 getxattr:191 lgetxattr:192 fgetxattr:193 listxattr:194 llistxattr:195
    flistxattr:196 setxattr:188 lsetxattr:189 fsetxattr:190 removexattr:197 lremovexattr:198 fremovexattr:199
    clone3:435 openat2:437
""")

# Linux include/uapi/asm-generic/unistd.h
AARCH64 = _numbers("""
    read:63 write:64 readv:65 writev:66 pread64:67 pwrite64:68 preadv:69 pwritev:70 preadv2:286 pwritev2:287
    lseek:62 close:57 dup:23 dup3:24 pipe2:59 openat:56 fstat:80 newfstatat:79 statx:291 statfs:43 fstatfs:44
    faccessat:48 faccessat2:439 readlinkat:78 getdents64:61 getcwd:17 chdir:49 fchdir:50 mkdirat:34
    unlinkat:35 renameat:38 renameat2:276 umask:166 flock:32 fsync:82 fdatasync:83 ftruncate:46 fallocate:47
    fadvise64:223 mmap:222 mprotect:226 munmap:215 mremap:216 msync:227 madvise:233 brk:214 rt_sigaction:134
    rt_sigprocmask:135 rt_sigreturn:139 rt_sigpending:136 rt_sigsuspend:133 rt_sigtimedwait:137
    sigaltstack:132 restart_syscall:128 getitimer:102 setitimer:103 nanosleep:101 clock_nanosleep:115
    clock_gettime:113 clock_getres:114 gettimeofday:169 times:153 pselect6:72 ppoll:73 futex:98
    sched_yield:124 sched_getaffinity:123 getcpu:168 set_tid_address:96 set_robust_list:99 rseq:293 getpid:172
    getppid:173 gettid:178 getuid:174 geteuid:175 getgid:176 getegid:177 getresuid:148 getresgid:150
    getgroups:158 uname:160 sysinfo:179 getrusage:165 getrlimit:163 getrandom:278 exit:93 exit_group:94
    kill:129 tkill:130 tgkill:131 fcntl:25 ioctl:29 prlimit64:261 recvmsg:212 getpgid:155 getxattr:8 lgetxattr:9
    fgetxattr:10 listxattr:11 llistxattr:12 flistxattr:13 setxattr:5 lsetxattr:6 fsetxattr:7 removexattr:14
    lremovexattr:15 fremovexattr:16 clone3:435 openat2:437
""")

AUDIT_X86_64 = 0xC000003E  # linux/audit.h: EM_X86_64 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE
AUDIT_AARCH64 = 0xC00000B7  # EM_AARCH64 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE

SECCOMP = {"x86_64": 317, "aarch64": 277}  # the call that installs the filter

# platform.machine() -> what seccomp_data.arch holds there, and the numbers
MACHINES = {"x86_64": (AUDIT_X86_64, X86_64), "aarch64": (AUDIT_AARCH64, AARCH64)}
