# A workstation with an NVIDIA GPU: ROS 2 Jazzy, the project built with colcon, PyTorch with CUDA.
#
#   docker build -t dva_ros .
#   docker run --rm -it --gpus all --network host --ipc host dva_ros
#
# --network host: discovery. --ipc host: shared memory with nodes outside. On the host: the NVIDIA
# driver and nvidia-container-toolkit. PyTorch's wheel brings its own CUDA.
ARG ROS_DISTRO=jazzy
FROM ros:${ROS_DISTRO}

ENV DEBIAN_FRONTEND=noninteractive \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility,video
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN apt-get update && apt-get install -y --no-install-recommends \
        cmake g++ make python3-dev python3-venv \
        libegl1 libgl1-mesa-dri \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/dva_ros

# Packages first: they change less often than the sources.
COPY package.xml ./
COPY dva_msgs/package.xml dva_msgs/
RUN apt-get update && rosdep update --rosdistro "$ROS_DISTRO" \
    && rosdep install --from-paths . dva_msgs --ignore-src -y \
    && rm -rf /var/lib/apt/lists/*
COPY requirements requirements
RUN python3 -m venv --system-site-packages .venv-ros \
    && .venv-ros/bin/pip install --no-cache-dir -r requirements/core.txt \
        -c <(python3 -c 'import numpy; print(f"numpy=={numpy.__version__}")')

COPY . .
RUN source "/opt/ros/$ROS_DISTRO/setup.bash" && make setup

RUN printf '%s\n' '#!/bin/bash' 'source "/opt/ros/$ROS_DISTRO/setup.bash"' \
        'source /opt/dva_ros/env.sh' 'exec "$@"' >/usr/local/bin/dva_ros \
    && chmod +x /usr/local/bin/dva_ros
ENTRYPOINT ["/usr/local/bin/dva_ros"]
CMD ["python", "-m", "dva_ros", "up"]
