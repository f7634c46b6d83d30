# One image for every Busway process; the command says which.
FROM python:3.13-slim

RUN useradd --system --uid 10001 --home-dir /var/lib/busway --create-home busway
WORKDIR /opt/busway
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY facility facility
COPY stream stream
COPY alerts alerts
COPY collectors collectors
COPY warehouse warehouse
COPY simulator simulator
COPY busway busway
RUN pip install --no-cache-dir -c constraints.txt .

USER busway
WORKDIR /var/lib/busway
ENTRYPOINT ["busway"]
