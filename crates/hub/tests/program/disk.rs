//! Disks that fill up.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Room for records that can be made too small, where this machine lets a test mount one.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    pub(crate) fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let size = format!("size={megabytes}m,mode=700");
        if mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], path) {
            return Some(Self(path.to_owned()));
        }
        eprintln!("\n*** SKIPPED: no disk can be mounted here; run as root to test full disks ***\n");
        None
    }

    /// From now on it can be read only.
    pub(crate) fn protect(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.0));
    }

    pub(crate) fn resize(&self, megabytes: u32) {
        assert!(mount(&["-o", &format!("remount,size={megabytes}m")], &self.0));
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(arguments).arg(path).output().is_ok_and(|done| done.status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
