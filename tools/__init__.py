"""What an agent can ask for: one typed function per tool, one list."""

from typing import Any

from tools.adapters import check_adapter, list_adapters
from tools.analysis import analyze_session
from tools.anomalies import detect_anomalies
from tools.artifacts import delete_artifact, list_artifacts
from tools.capture import capture_status, start_capture, stop_capture
from tools.car import read_monitor_tests, read_signals, read_vehicle_info
from tools.cleaning import clean_up
from tools.clearing import clear_trouble_codes
from tools.comparing import compare_sessions
from tools.diagnosis import read_trouble_codes
from tools.exporting import export_session
from tools.fuel import analyze_fuel, save_fill_up
from tools.guided import run_guided_test
from tools.health import health_report, recommend_diagnosis
from tools.history import track_vehicle
from tools.importing import import_log
from tools.lookup import decode_vin, lookup_trouble_code, search_trouble_codes
from tools.manuals import import_manual, search_manuals
from tools.python import run_python
from tools.python_runs import get_python_run, list_python_runs
from tools.registry import Tool
from tools.research import list_research, save_research, search_web
from tools.sessions import delete_session, get_session, list_sessions, update_session
from tools.signals import plot_signals, query_signals
from tools.vehicles import list_vehicles, save_vehicle

TOOLS: tuple[Tool[Any, Any], ...] = (
    list_adapters,
    check_adapter,
    start_capture,
    capture_status,
    stop_capture,
    read_signals,
    read_trouble_codes,
    read_monitor_tests,
    read_vehicle_info,
    clear_trouble_codes,
    run_guided_test,
    list_vehicles,
    save_vehicle,
    list_sessions,
    get_session,
    update_session,
    delete_session,
    clean_up,
    import_log,
    export_session,
    query_signals,
    plot_signals,
    list_artifacts,
    delete_artifact,
    analyze_session,
    compare_sessions,
    detect_anomalies,
    analyze_fuel,
    save_fill_up,
    health_report,
    recommend_diagnosis,
    track_vehicle,
    run_python,
    list_python_runs,
    get_python_run,
    decode_vin,
    lookup_trouble_code,
    search_trouble_codes,
    import_manual,
    search_manuals,
    search_web,
    save_research,
    list_research,
)
