# What the tests of this folder need; sourced by them. Installs packages of other languages in `target/interop` and
# `node_modules` only.

at_least() { # program, version, arguments that make the program check its version
    "$1" "${@:3}" >/dev/null 2>&1 || {
        echo "interop: $1 $2 or newer is required" >&2
        exit 1
    }
}
at_least python3 3.11 -c 'import sys; sys.exit(sys.version_info < (3, 11))'
at_least node 20 -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'
at_least npm 9 --version

python_packages() { # folder of the virtual environment, file with requirements
    if [ ! -x "$1/bin/pip" ]; then
        python3 -m venv "$1" || { # a separate package on Debian
            apt-get update && apt-get install -y python3-venv
            python3 -m venv --clear "$1"
        }
    fi
    "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2" || {
        echo "interop: cannot install $2 from PyPI (see above)" >&2
        exit 1
    }
}

node_packages() { # folder with package.json
    npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --silent || {
        echo "interop: cannot install $1/package.json from the npm registry (see above)" >&2
        exit 1
    }
}
