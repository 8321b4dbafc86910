//! Disks that fill up, and disks that fail.

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

    /// It can be written again.
    pub(crate) fn allow(&self) {
        assert!(mount(&["-o", "remount,rw"], &self.0));
    }

    pub(crate) fn resize(&self, megabytes: u32) {
        assert!(mount(&["-o", &format!("remount,size={megabytes}m")], &self.0));
    }
}

/// A disk that fails under those who write to it, as a real one does: the file system stops, and is read-only from then
/// on, also for files that are open.
pub(crate) struct FailingDisk {
    path: PathBuf,
    image: PathBuf,
}

impl FailingDisk {
    /// A disk in a file beside `path`, mounted there.
    pub(crate) fn mount(path: &Path, megabytes: u64) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let image = path.with_extension("img");
        std::fs::File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
        let disk = Self { path: path.to_owned(), image };
        if runs("mkfs.ext4", &["-q", "-F"], &disk.image) && disk.attach() {
            return Some(disk);
        }
        eprintln!(
            "\n*** SKIPPED: no disk can be mounted here; run as root, with loop devices, to test failing disks ***\n"
        );
        None
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// It fails now.
    pub(crate) fn fail(&self) {
        assert!(mount(&["-o", "remount,abort"], &self.path));
    }

    /// Takes it off, repairs it, and puts it back.
    pub(crate) fn repair(&self) {
        assert!(runs("umount", &[], &self.path));
        // 1 says that something was repaired.
        let repaired = Command::new("e2fsck").arg("-p").arg(&self.image).output().unwrap();
        assert!(repaired.status.code().is_some_and(|code| code <= 1), "{repaired:?}");
        assert!(self.attach());
    }

    fn attach(&self) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).args([&self.image, &self.path]);
        mount.output().is_ok_and(|done| done.status.success())
    }
}

impl Drop for FailingDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).output();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    runs("mount", arguments, path)
}

fn runs(program: &str, arguments: &[&str], path: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).arg(path).output().is_ok_and(|done| done.status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
