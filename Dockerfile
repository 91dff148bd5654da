# For a hub: JupyterHub starts this image as it is, and Binder builds it by repo2docker.
# It holds what a student may see, so no solutions (.dockerignore); the book itself is a site and needs no image.
FROM python:3.11-slim

# The names by which both hubs say who the student is.
ARG NB_USER=jovyan
ARG NB_UID=1000
ENV USER=${NB_USER} \
    NB_UID=${NB_UID} \
    HOME=/home/${NB_USER}
RUN useradd --create-home --uid "${NB_UID}" "${NB_USER}"

WORKDIR /opt/gdmcourse
COPY pyproject.toml constraints.txt README.md LICENSE LICENSE-TEXT ./
COPY gdmcourse ./gdmcourse
# jupyterhub brings jupyterhub-singleuser, which a hub runs in place of CMD.
RUN python -m pip install --no-cache-dir -c constraints.txt '.[book]' jupyterhub

WORKDIR ${HOME}
COPY --chown=${NB_UID}:${NB_UID} book ./book
COPY --chown=${NB_UID}:${NB_UID} exercises ./exercises
USER ${NB_USER}
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser"]
