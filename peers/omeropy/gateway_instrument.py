"""Describes the microscope of a new image through the update service, and reads
it back through the gateway."""

import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import omero.model as m  # noqa: E402
from gateway import connect, dump, report  # noqa: E402
from omero.model.enums import UnitsElectricPotential, UnitsLength, UnitsPower, UnitsPressure, UnitsTemperature, UnitsTime  # noqa: E402
from omero.rtypes import rbool, rdouble, rint, rstring  # noqa: E402

conn = connect()
update, query, types = conn.getUpdateService(), conn.getQueryService(), conn.getTypesService()


def enum(cls, value):
    return types.getEnumeration(cls, value)


def fill(obj, **members):
    for name, value in members.items():
        if isinstance(value, str):
            value = rstring(value)
        elif isinstance(value, bool):
            value = rbool(value)
        elif isinstance(value, int):
            value = rint(value)
        elif isinstance(value, float):
            value = rdouble(value)
        setattr(obj, name, value)
    return obj


def made():
    instrument = m.InstrumentI()
    instrument.setMicroscope(fill(m.MicroscopeI(), manufacturer="Zeiß", model="Axio", serialNumber="1", type=enum("MicroscopeType", "Inverted")))
    objective = fill(m.ObjectiveI(), model="Plan-Apo", lensNA=1.4, nominalMagnification=63.0, workingDistance=m.LengthI(0.19, UnitsLength.MILLIMETER),
                     immersion=enum("Immersion", "Oil"), correction=enum("Correction", "PlanApo"), iris=True)
    detector = fill(m.DetectorI(), model="Orca", gain=2.5, voltage=m.ElectricPotentialI(800, UnitsElectricPotential.VOLT), type=enum("DetectorType", "CCD"))
    laser = fill(m.LaserI(), model="Argon", power=m.PowerI(30, UnitsPower.MILLIWATT), wavelength=m.LengthI(488, UnitsLength.NANOMETER),
                 type=enum("LaserType", "Gas"), laserMedium=enum("LaserMedium", "Ar"), tuneable=False)
    lamp = fill(m.ArcI(), model="HBO", type=enum("ArcType", "Hg"))
    emission = fill(m.FilterI(), model="BP 525/50", type=enum("FilterType", "BandPass"),
                    transmittanceRange=fill(m.TransmittanceRangeI(), cutIn=m.LengthI(500, UnitsLength.NANOMETER), cutOut=m.LengthI(550, UnitsLength.NANOMETER)))
    dichroic = fill(m.DichroicI(), model="FT 495")
    for add, part in (("addObjective", objective), ("addDetector", detector), ("addLightSource", laser), ("addLightSource", lamp),
                      ("addFilter", emission), ("addDichroic", dichroic)):
        getattr(instrument, add)(part)
    return update.saveAndReturnObject(instrument)


def image(instrument):
    planes = (numpy.full((4, 6), n, numpy.uint8) for n in range(2))
    i = conn.createImageFromNumpySeq(planes, "Instrument", 1, 2, 1)
    full = query.findByQuery("select i from Image i join fetch i.pixels p join fetch p.channels c join fetch c.logicalChannel where i.id = %d" % i.getId(), None)
    full.setInstrument(m.InstrumentI(instrument.id, False))
    full.setObjectiveSettings(fill(m.ObjectiveSettingsI(), objective=m.ObjectiveI(instrument.copyObjective()[0].id, False), refractiveIndex=1.518,
                                   correctionCollar=0.17, medium=enum("Medium", "Oil")))
    full.setImagingEnvironment(fill(m.ImagingEnvironmentI(), temperature=m.TemperatureI(37, UnitsTemperature.CELSIUS), humidity=0.6, co2percent=0.05,
                                    airPressure=m.PressureI(1013, UnitsPressure.MILLIBAR)))
    full.setStageLabel(fill(m.StageLabelI(), name="Feld ü", positionX=m.LengthI(1.5, UnitsLength.MICROMETER)))
    pixels = full.copyPixels()[0]
    lc = pixels.copyChannels()[0].getLogicalChannel()
    laser = [s for s in instrument.copyLightSource() if isinstance(s, m.LaserI)][0]
    lc.setDetectorSettings(fill(m.DetectorSettingsI(), detector=m.DetectorI(instrument.copyDetector()[0].id, False), gain=1.5, binning=enum("Binning", "2x2")))
    lc.setLightSourceSettings(fill(m.LightSettingsI(), lightSource=m.LaserI(laser.id, False), attenuation=0.25))
    path = fill(m.LightPathI(), dichroic=m.DichroicI(instrument.copyDichroic()[0].id, False))
    path.linkEmissionFilter(m.FilterI(instrument.copyFilter()[0].id, False))
    lc.setLightPath(path)
    lc.setPinHoleSize(m.LengthI(1, UnitsLength.MICROMETER))
    lc.setMode(enum("AcquisitionMode", "LaserScanningConfocalMicroscopy"))
    update.saveObject(full)
    for c in range(2):
        update.saveObject(fill(m.PlaneInfoI(), pixels=m.PixelsI(pixels.id, False), theZ=0, theC=c, theT=0,
                               deltaT=m.TimeI(0.5 + c, UnitsTime.SECOND), exposureTime=m.TimeI(20, UnitsTime.MILLISECOND)))
    return i.getId()


def reading(id):
    img = conn.getObject("Image", id)
    inst, settings, env = img.getInstrument(), img.getObjectiveSettings(), img.getImagingEnvironment()
    lc = img.getChannels()[0].getLogicalChannel()
    acquired = conn.getMetadataService().loadChannelAcquisitionData([lc.getId()])[0]
    loaded = conn.getMetadataService().loadInstrument(inst.getId())
    objective = settings.getObjective()
    return {
        "instrument": inst.getId(), "microscope": [dump(inst.getMicroscope()._obj), inst.getMicroscope().getMicroscopeType().getValue()],
        "parts": {p: [dump(x._obj) for x in getattr(inst, "get" + p)()] for p in ("Objectives", "Detectors", "Filters", "Dichroics", "LightSources")},
        "objective": [dump(objective._obj), objective.getImmersion().getValue(), objective.getCorrection().getValue()],
        "settings": [dump(settings._obj), settings.getMedium().getValue()],
        "environment": dump(env._obj), "label": dump(img.getStageLabel()._obj),
        "detector": [lc.getDetectorSettings().getDetector().getModel(), lc.getDetectorSettings().getDetector().getDetectorType().getValue(),
                     lc.getDetectorSettings().getBinning().getValue(), dump(lc.getDetectorSettings()._obj)],
        "light": [lc.getLightSourceSettings().getLightSource().getModel(), dump(lc.getLightSourceSettings()._obj)],
        "path": [[f.getModel() for f in lc.getLightPath().getEmissionFilters()], lc.getLightPath().getDichroic().getModel(), lc.getMode().getValue()],
        "planes": sorted([p.theC, p.getDeltaT(units="MILLISECOND").getValue(), p.getExposureTime(units=True).getValue(), str(p.getExposureTime(units=True).getUnit())]
                         for p in img.getPrimaryPixels().copyPlaneInfo()),
        "service": [acquired.getDetectorSettings().getDetector().getModel().getValue(), loaded.sizeOfObjective(), loaded.sizeOfLightSource(),
                    sorted(type(s).__name__ for s in loaded.copyLightSource())],
    }


instrument = made()
identifier = image(instrument)
report({"image": identifier, "read": reading(identifier)})
conn.close()
