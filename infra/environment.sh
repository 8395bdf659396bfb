# Makes .venv from the hashed lock when the lock has changed. Sourced by run, test and bench from the project's root.
unset PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PYTHONPATH PYTHONHOME
export UV_PYTHON_DOWNLOADS=never
stamp=$(cat requirements-dev.lock pyproject.toml infra/environment.sh | cksum)
if [ "$(cat .venv/.stamp 2>/dev/null)" != "$stamp" ]; then
  python=${PYTHON:-python3}
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Medstead needs Python 3.11 or newer. Install it, or name one: PYTHON=python3.12 $0" >&2
    exit 1
  fi
  # Of an activated environment, the Python that it was made from: that one has pip.
  python=$("$python" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)')
  echo "Making the Python environment in .venv …" >&2
  uv=.tools/bin/uv
  if [ ! -x "$uv" ]; then
    if ! "$python" -m pip install --quiet --disable-pip-version-check --target .tools 'uv==0.13.9' 2>.tools.log; then
      cat .tools.log >&2
      rm -f .tools.log
      echo "pip could not install uv. Give this Python pip (Debian: apt install python3-pip), then try again." >&2
      exit 1
    fi
    rm -f .tools.log
  fi
  rm -rf .venv
  "$uv" venv --quiet --python "$python" .venv
  "$uv" --system-certs pip sync --quiet --python .venv/bin/python --require-hashes requirements-dev.lock
  "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
  echo "$stamp" > .venv/.stamp
fi
