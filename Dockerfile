# The workflow on processors, with the versions of constraints.txt:
#     docker build --tag hgnpipe .
#     docker run --rm --volume "$PWD/results:/hgnpipe/results" hgnpipe --cores 8 results/table1.csv
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 hgnpipe
WORKDIR /hgnpipe

# A local version such as 2.13.0+cpu is newer than 2.13.0, so that pip takes the CPU build.
# Versions first, sources later: an edited source does not install torch again.
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src/hgnpipe/__init__.py src/hgnpipe/__init__.py
RUN pip install --no-cache-dir --editable . --constraint constraints.txt \
        --extra-index-url https://download.pytorch.org/whl/cpu

COPY . .
RUN mkdir --parents results .snakemake && chown --recursive hgnpipe: /hgnpipe
USER hgnpipe

ENTRYPOINT ["snakemake"]
CMD ["--cores", "1", "results/table1.csv"]
