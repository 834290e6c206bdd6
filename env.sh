# source env.sh: a shell in which rclpy, dva_msgs and `python -m dva_ros` work (bash or zsh).
#
# Where a ROS 2 installation is sourced, that one is used. Otherwise the wheels that
# `make setup` installed: Jazzy's, or another distribution's with `DISTRO=kilted source env.sh`.

_dva_root="$(cd "$(dirname "${BASH_SOURCE[0]:-${(%):-%x}}")" && pwd)"

# _dva_without LIST: the colon-separated LIST without the entries of an earlier `source env.sh`.
_dva_without() {
    printf '%s' "$1" | tr ':' '\n' | grep -v -e "^$_dva_root/install/" -e "^$_dva_root/\.venv" \
        -e "^$_dva_root\$" -e '^$' | paste -sd: -
}

# _dva_prepend VARIABLE ENTRY: put ENTRY first in a colon-separated variable and export it.
_dva_prepend() {
    eval "export $1=\"\$2\${$1:+:\$$1}\""
}

_dva_wheels() {
    local distro="${DISTRO:-jazzy}" venv="$_dva_root/.venv" prefix version variable
    [ "$distro" = jazzy ] || venv="$_dva_root/.venv-$distro"
    prefix="$_dva_root/install/$distro"
    if [ ! -x "$venv/bin/python" ] || [ ! -d "$prefix/share/dva_msgs" ]; then
        echo "env.sh: nothing is set up for $distro here; run: make setup DISTRO=$distro" >&2
        return 1
    fi
    version="$(unset _ROS_WHEELS_BOOTSTRAP_COMPLETE PYTHONPATH
        "$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" || return 1
    for variable in PATH PYTHONPATH LD_LIBRARY_PATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH; do
        eval "$variable=\"\$(_dva_without \"\${$variable:-}\")\""
    done
    # The wheels set this on the first start of Python; another environment's must not stay.
    unset _ROS_WHEELS_BOOTSTRAP_COMPLETE PYTHONHOME
    export VIRTUAL_ENV="$venv" ROS_DISTRO="$distro" ROS_VERSION=2 ROS_PYTHON_VERSION=3
    export DVA_ROS_WHEELS="$distro"
    _dva_prepend PATH "$venv/bin"
    _dva_prepend PYTHONPATH "$prefix/lib/python$version/site-packages"
    _dva_prepend PYTHONPATH "$_dva_root"
    _dva_prepend LD_LIBRARY_PATH "$venv/lib"
    _dva_prepend LD_LIBRARY_PATH "$prefix/lib"
    _dva_prepend AMENT_PREFIX_PATH "$venv"
    _dva_prepend AMENT_PREFIX_PATH "$prefix"
    _dva_prepend CMAKE_PREFIX_PATH "$venv"
    _dva_prepend CMAKE_PREFIX_PATH "$prefix"
}

_dva_installation() {
    local venv="$_dva_root/.venv-ros" prefix="$_dva_root/install"
    if [ ! -x "$venv/bin/python" ] || [ ! -f "$prefix/local_setup.sh" ]; then
        echo "env.sh: ROS 2 $ROS_DISTRO is sourced, but dva_ros is not built for it;" \
            "run: make setup" >&2
        return 1
    fi
    PATH="$(_dva_without "$PATH")"
    PYTHONPATH="$(_dva_without "${PYTHONPATH:-}")"
    . "$venv/bin/activate" || return 1
    if [ -n "${ZSH_VERSION:-}" ]; then . "$prefix/local_setup.zsh"
    else . "$prefix/local_setup.bash"; fi
    _dva_prepend PYTHONPATH "$_dva_root"
}

if [ -n "${AMENT_PREFIX_PATH:-}" ] && [ -n "${ROS_DISTRO:-}" ] && [ -z "${DVA_ROS_WHEELS:-}" ]; then
    _dva_installation
else
    _dva_wheels
fi && export MUJOCO_GL="${MUJOCO_GL:-egl}" \
    FASTRTPS_DEFAULT_PROFILES_FILE="${FASTRTPS_DEFAULT_PROFILES_FILE:-$_dva_root/config/fastdds.xml}" \
    FASTDDS_DEFAULT_PROFILES_FILE="${FASTDDS_DEFAULT_PROFILES_FILE:-$_dva_root/config/fastdds.xml}"
