FROM python:3.12-slim AS build
WORKDIR /build
# Dependencies first, in a layer that only pyproject.toml and constraints.txt can change.
COPY pyproject.toml constraints.txt ./
RUN python -m venv /opt/obd-agent \
 && python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print("\n".join(p["dependencies"] + p["optional-dependencies"]["postgres"] + p["optional-dependencies"]["parquet"]))' > requirements.txt \
 && /opt/obd-agent/bin/pip install --no-cache-dir -c constraints.txt -r requirements.txt
COPY README.md LICENSE ./
COPY server server
COPY tools tools
COPY vehicle vehicle
COPY analysis analysis
COPY storage storage
COPY sandbox sandbox
COPY prompts prompts
RUN /opt/obd-agent/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 obd && mkdir /data && chown obd /data
COPY --from=build /opt/obd-agent /opt/obd-agent
ENV PATH=/opt/obd-agent/bin:$PATH OBD_AGENT_HOME=/data MPLCONFIGDIR=/data/matplotlib
USER obd
VOLUME /data
EXPOSE 8000
# Beyond the loopback the server demands OBD_AGENT_AUTH: docker run -e OBD_AGENT_AUTH=… -p 8000:8000 …
CMD ["obd-agent", "serve", "--host", "0.0.0.0"]
