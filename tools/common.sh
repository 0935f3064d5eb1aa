# SPDX-License-Identifier: ISC
# Shared by ./run and ./check: install what is missing, and work as an unprivileged user.
#
# Started as root, these scripts install packages and then do everything else as the user drover-dev. A tree that
# this user cannot read (a clone below /root) is copied to its home first; the programs are copied back.

drover_user=drover-dev
drover_home=/var/lib/drover-dev

say() { printf '%s\n' "$*" >&2; }
die() { say "$0: $*"; exit 1; }

packages_missing() {
	local kind=$1 name
	for name in $(awk -v kind="$kind" '$1 == kind { print $2 }' "$tree/tools/packages.txt"); do
		case $name in
		nodejs | npm) command -v "${name%js}" >/dev/null && continue ;;
		esac
		dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
	done
}

# install_packages build|check …
install_packages() {
	local kind missing=""
	for kind in "$@"; do missing="$missing $(packages_missing "$kind")"; done
	missing=$(echo $missing)
	[ -n "$missing" ] || return 0
	say "Installing: $missing"
	local as=""
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "missing packages; run as root: apt-get install $missing"
		as=sudo
	fi
	$as apt-get update -qq || say "could not update the package lists; trying with the old ones"
	DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
		die "could not install: $missing"
}

as_user() {
	if [ "$(id -u)" != 0 ]; then "$@"; return; fi
	setpriv --reuid "$drover_user" --regid "$drover_user" --init-groups --inh-caps=-all --no-new-privs \
		env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME="$drover_home" USER="$drover_user" LANG=C.UTF-8 \
		${TERM:+TERM="$TERM"} ${CI:+CI="$CI"} "$@"
}

# Sets $work: the tree to work in, readable by the user we work as.
enter_tree() {
	work=$tree
	[ "$(id -u)" = 0 ] || return 0
	id "$drover_user" >/dev/null 2>&1 ||
		useradd --system --user-group --create-home --home-dir "$drover_home" --shell /usr/sbin/nologin "$drover_user"
	if ! as_user test -r "$tree/meson.build" -a -x "$tree" -a -r "$tree/.git"; then
		work=$drover_home/tree-$(printf %s "$tree" | sha256sum | cut -c1-12)
		say "The user $drover_user cannot read $tree: working on a copy in $work"
		mkdir -p "$work"
		tar -C "$tree" --exclude=./build --exclude='./build-*' --exclude=./var -cf - . | tar -C "$work" -xf -
		chown -R "$drover_user:$drover_user" "$work"
	fi
	cd "$work" || exit 1
	local folder
	for folder in "$@"; do
		mkdir -p "$work/$folder"
		chown -R "$drover_user:$drover_user" "$work/$folder"
	done
	# git refuses the repositories of other users unless told: this tree is ours to read.
	as_user git config --global --get-all safe.directory 2>/dev/null | grep -qxF "$work" ||
		as_user git config --global --add safe.directory "$work"
}

# configure FOLDER MESON-OPTIONS…
configure() {
	local folder=$1
	shift
	if [ ! -f "$work/$folder/build.ninja" ]; then
		as_user ${CC:+env CC="$CC"} meson setup "$@" "$work/$folder" "$work" >/tmp/drover-configure.$$ 2>&1 ||
			{ cat /tmp/drover-configure.$$ >&2; rm -f /tmp/drover-configure.$$; die "cannot configure $folder"; }
		rm -f /tmp/drover-configure.$$
	fi
}

copy_programs_back() {
	[ "$work" != "$tree" ] || return 0
	mkdir -p "$tree/build"
	local program
	for program in drover droverd drover-lvs; do
		[ ! -f "$work/build/$program" ] || install -m 755 "$work/build/$program" "$tree/build/$program"
	done
}
