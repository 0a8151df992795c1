//! Preloaded into the tool: the call numbered `FAULT_AT` of those that change files fails, or is the
//! process's last.
//!
//! Nothing that ends in `FAULT_DENIED` may be opened. `FAULT` is `kill`, or the number of an error; the file `FAULT_DONE` is made when it came to that.
//! Only the program whose name ends in `FAULT_IN` counts: what it starts is left alone.

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn raise(signal: c_int) -> c_int;
    fn __errno_location() -> *mut c_int;
}

const NEXT: *mut c_void = -1_isize as *mut c_void;
const CREATE: c_int = 0o100;
const SIGKILL: c_int = 9;
const EACCES: c_int = 13;

static COUNT: AtomicI64 = AtomicI64::new(0);

/// The real function called `name`.
fn real(name: &CStr) -> *mut c_void {
    unsafe { dlsym(NEXT, name.as_ptr()) }
}

fn at() -> i64 {
    static AT: OnceLock<i64> = OnceLock::new();
    *AT.get_or_init(|| {
        let var = |name| std::env::var(name).unwrap_or_default();
        let program = std::env::args().next().unwrap_or_default();
        let counts = program.ends_with(&var("FAULT_IN"));
        if counts { var("FAULT_AT").parse().unwrap_or(0) } else { 0 }
    })
}

/// Counts a call; whether it is to fail.
fn fails() -> bool {
    if at() == 0 || COUNT.fetch_add(1, Ordering::SeqCst) + 1 != at() {
        return false;
    }
    // None of the calls of this counts any more.
    let done = std::env::var("FAULT_DONE").unwrap_or_default();
    let _ = std::fs::write(done, "");
    match std::env::var("FAULT").unwrap_or_default().parse::<c_int>() {
        Ok(errno) => unsafe { *__errno_location() = errno },
        Err(_) => unsafe {
            raise(SIGKILL);
        },
    }
    true
}

/// Whether `path` ends in what `FAULT_DENIED` names: there, no permission is given.
fn is_denied(path: *const c_char) -> bool {
    static DENIED: OnceLock<String> = OnceLock::new();
    let denied = DENIED.get_or_init(|| std::env::var("FAULT_DENIED").unwrap_or_default());
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    let is = at() != 0 && !denied.is_empty() && path.ends_with(denied.as_bytes());
    if is {
        unsafe { *__errno_location() = EACCES };
    }
    is
}

macro_rules! counted {
    ($($name:ident: ($($arg:ident: $ty:ty),*) -> $out:ty, $if:expr;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($($arg: $ty),*) -> $out {
            let name = concat!(stringify!($name), "\0");
            let name = CStr::from_bytes_with_nul(name.as_bytes()).expect("a name");
            if $if {
                return -1;
            }
            let call: extern "C" fn($($ty),*) -> $out = unsafe { std::mem::transmute(real(name)) };
            call($($arg),*)
        }
    )*};
}

counted! {
    open64: (path: *const c_char, flags: c_int, mode: c_uint) -> c_int, is_denied(path) || (flags & CREATE != 0 && fails());
    write: (fd: c_int, bytes: *const c_void, count: usize) -> isize, fd > 2 && fails();
    rename: (from: *const c_char, to: *const c_char) -> c_int, fails();
    unlink: (path: *const c_char) -> c_int, fails();
    mkdir: (path: *const c_char, mode: c_uint) -> c_int, fails();
    rmdir: (path: *const c_char) -> c_int, fails();
    fsync: (fd: c_int) -> c_int, fails();
    fchmod: (fd: c_int, mode: c_uint) -> c_int, fails();
    ftruncate64: (fd: c_int, length: c_long) -> c_int, fails();
}
